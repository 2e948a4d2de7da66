/* frvt11 -- stands in for the header of an FRTE 1:1 interface in tests, written from facts about
 * it. */
#ifndef STANDIN_FRVT11_H
#define STANDIN_FRVT11_H

#include <memory>
#include <string>
#include <vector>

#include "frvt_structs.h"

namespace FRVT_11 {

class Interface {
  public:
    virtual ~Interface() {}
    virtual FRVT::ReturnStatus initialize(const std::string &configDir) = 0;
    virtual FRVT::ReturnStatus createTemplate(const std::vector<FRVT::Image> &faces,
                                              FRVT::TemplateRole role, std::vector<uint8_t> &templ,
                                              std::vector<FRVT::EyePair> &eyeCoordinates) = 0;
#if STANDIN_API >= 5
    virtual FRVT::ReturnStatus createTemplate(const FRVT::Image &image, FRVT::TemplateRole role,
                                              std::vector<std::vector<uint8_t>> &templs,
                                              std::vector<FRVT::EyePair> &eyeCoordinates) = 0;
#endif
    virtual FRVT::ReturnStatus matchTemplates(const std::vector<uint8_t> &verifTemplate,
                                              const std::vector<uint8_t> &enrollTemplate,
                                              double &similarity) = 0;
    static std::shared_ptr<Interface> getImplementation();
};

#ifdef NIST_EXTERN_API_VERSION
extern uint16_t API_MAJOR_VERSION;
extern uint16_t API_MINOR_VERSION;
#else
uint16_t API_MAJOR_VERSION = STANDIN_API;
uint16_t API_MINOR_VERSION = 0;
#endif

} // namespace FRVT_11

#endif
